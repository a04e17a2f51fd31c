/*
 * What a run leaves behind for people and for other pipelines.
 */

// Where a genome's files lie below the output folder.
def folderOf(id) {
    return "symbols/${id}"
}

// A genome's record; files: [step: file] of the steps it went through.
def genomeRecord(meta, files, load) {
    def steps = (meta.database ? ['dump'] : []) + ['assign', 'filter'] + (load && meta.database ? ['check_before', 'load', 'check'] : [])
    def broken = files.check ? failedDatachecks(files.check) - failedDatachecks(files.check_before) : []
    def failed = steps.find { step -> !files[step] || step == 'check' && broken }
    def published = { step -> files[step] ? "${folderOf(meta.id)}/${files[step].name}".toString() : null }
    return [
        id: meta.id,
        scientific_name: meta.scientific_name,
        taxon_id: meta.taxon_id as Integer,
        status: failed ? 'failed' : 'done',
        failed_step: failed,
        error: !failed ? null : broken ? "datachecks fail that did not before: ${broken.join(', ')}".toString() : reasonOf(meta.id, failed),
        symbols: published.call('assign'),
        filtered_symbols: published.call('filter'),
        loaded_symbols: published.call('load'),
        datachecks: published.call('check'),
        fasta: meta.fasta?.toUriString(),
        database: meta.database,
        gff3: meta.gff3?.toUriString(),
        genome: meta.genome?.toUriString(),
    ]
}

// Names of the datachecks that fail. TAP: advisory ones bear the directive TODO.
def failedDatachecks(tap) {
    return tap.readLines()
        .findAll { line -> line.startsWith('not ok') && !line.contains('# TODO') }
        .collect { line -> line.replaceFirst(/^not ok\s*\d*\s*-?\s*/, '') }
}

// Why a genome failed, in the words of the program that gave it up. conf/base.config notes each task that is given up.
def reasonOf(id, step) {
    def process = [dump: 'GST_DUMPPROTEINS', assign: 'GST_ASSIGN', filter: 'GST_FILTER', check_before: 'GST_CHECK_BEFORE', load: 'GST_LOAD', check: 'GST_CHECK'][step]
    def note = System.getProperties().find { name, _value -> name ==~ /gst\.failed\.(.*:)?${process} \((.*)\)/ && tagHas(name, id) }
    if (!note) {
        return null
    }
    def (status, folder) = note.value.split('\t', 2)
    def said = folder && file(folder).resolve('.command.err').exists() ? file(folder).resolve('.command.err').readLines().findAll { line -> line.trim() } : []
    def sentence = said.reverse().find { line -> line.contains('error: ') } ?: said ? said.last() : null
    return sentence ? sentence.replaceFirst(/^.*?\berror: /, '') : "the task ended with exit status ${status}".toString()
}

// A task's tag is a genome's id, or the first and the last id of a sorted batch.
def tagHas(name, id) {
    def ends = name.replaceFirst(/^.* \(/, '').replaceFirst(/\)$/, '').split(/\.\./)
    return ends[0] <= id && id <= ends[-1]
}

// Genomes that have no table, for the report.
def failuresOf(records) {
    return records
        .findAll { record -> !record.symbols }
        .collect { record -> [id: record.id, step: record.failed_step, error: record.error] }
}

// What is said of failed genomes in the end.
def sentencesOf(records) {
    def failed = records.findAll { record -> record.failed_step }
    def shown = failed.take(20).collect { record -> "  ${record.id} (${record.failed_step}): ${record.error ?: 'see .nextflow.log'}".toString() }
    def more = failed.size() > 20 ? ["  and ${failed.size() - 20} more: output_manifest.json lists them".toString()] : []
    return failed ? ["${failed.size()} of ${records.size()} genomes failed:".toString()] + shown + more : []
}

def outputManifest(records, run) {
    return groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(run + [genomes: records])) + '\n'
}

// Topic tuples [process, tool, version] as the software versions file of nf-core pipelines.
def softwareVersions(tuples, run) {
    def tools = tuples
        .collect { process, tool, version -> [process.tokenize(':').last(), tool, version] }
        .unique()
        .sort { row -> row.join(' ') }
        .groupBy { process, _tool, _version -> process }
        .collect { process, rows -> "${process}:\n" + rows.collect { _process, tool, version -> "  ${tool}: \"${version}\"\n" }.join() }
    return tools.join() + "Workflow:\n  ${run.pipeline}: \"${run.version}\"\n  Nextflow: \"${run.nextflow}\"\n"
}
