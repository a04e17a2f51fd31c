/*
 * What a run leaves behind for people and for other pipelines.
 */

// Where a genome's files lie below the output folder.
def folderOf(id) {
    return "symbols/${id}"
}

// A genome's record; files: [step: file] of the steps it went through.
def genomeRecord(meta, files, load) {
    def steps = (meta.database ? ['dump'] : []) + ['assign', 'filter'] + (load && meta.database ? ['load', 'check'] : [])
    def failed = steps.find { step -> !files[step] || step == 'check' && failsDatachecks(files[step]) }
    def published = { step -> files[step] ? "${folderOf(meta.id)}/${files[step].name}".toString() : null }
    return [
        id: meta.id,
        scientific_name: meta.scientific_name,
        taxon_id: meta.taxon_id as Integer,
        status: failed ? 'failed' : 'done',
        failed_step: failed,
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

// TAP: advisory datachecks bear the directive TODO.
def failsDatachecks(tap) {
    return tap.readLines().any { line -> line.startsWith('not ok') && !line.contains('# TODO') }
}

def warnOfFailures(records) {
    def failed = records.findAll { record -> record.failed_step }
    if (failed) {
        log.warn("${failed.size()} of ${records.size()} genomes failed: " + failed.collect { record -> "${record.id} (${record.failed_step})" }.join(', '))
    }
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
