/*
 * What a run leaves behind for people and for other pipelines.
 */

// Where a genome's files lie below the output folder.
def folderOf(id) {
    return "symbols/${id}"
}

// The same for the cells of its species.
def cellsOf(id) {
    return "cells/${id}"
}

// A genome's record; files: [step: file] of the steps it went through.
def genomeRecord(meta, files, load) {
    def steps = (meta.database ? ['dump'] : []) +
        ['assign', 'filter'] +
        (load && meta.database ? ['check_before', 'load', 'check'] : []) +
        (meta.counts ? ['bridge', 'check_cells', 'tokenize', 'embed'] : [])
    def complaints = [check: datacheckComplaint(files.check), check_cells: cellsComplaint(files.check_cells)]
    def failed = steps.find { step -> !files[step] || complaints[step] }
    def published = { step, folder = folderOf(meta.id) -> files[step] ? "${folder}/${files[step].name}".toString() : null }
    return [
        id: meta.id,
        scientific_name: meta.scientific_name,
        taxon_id: meta.taxon_id as Integer,
        status: failed ? 'failed' : 'done',
        failed_step: failed,
        error: failed ? complaints[failed] ?: reasonOf(meta.id, failed) : null,
        symbols: published.call('assign'),
        named_annotation: published.call('annotate'),
        filtered_symbols: published.call('filter'),
        loaded_symbols: published.call('load'),
        datachecks: published.call('check'),
        human_counts: published.call('bridge', cellsOf(meta.id)),
        cell_tokens: published.call('tokenize', cellsOf(meta.id)),
        embedded_cells: published.call('embed', cellsOf(meta.id)),
        fasta: meta.fasta?.toUriString(),
        database: meta.database,
        gff3: meta.gff3?.toUriString(),
        genome: meta.genome?.toUriString(),
        counts: meta.counts?.toUriString(),
    ]
}

// What is wrong by datachecks, or null. TAP: advisory ones, and those that failed before the load, bear the directive TODO.
def datacheckComplaint(tap) {
    def failed = (tap ? tap.readLines() : [])
        .findAll { line -> line.startsWith('not ok') && !line.contains('# TODO') }
        .collect { line -> line.replaceFirst(/^not ok\s*\d*\s*-?\s*/, '') }
    return failed ? "datachecks fail that did not before the load: ${failed.join(', ')}".toString() : null
}

// What is wrong with counts by geneformer check, or null; a stub's document is empty.
def cellsComplaint(json) {
    def report = json && json.size() ? new groovy.json.JsonSlurper().parse(json) : [good: true]
    def bad = (report.findings ?: []).findAll { finding -> finding.state == 'bad' }
    return report.good ? null : bad.collect { finding -> "${finding.what}: ${finding.value}; ${finding.advice}" }.join('. ')
}

def isFit(json) {
    return !cellsComplaint(json)
}

// Why a genome failed, in the words of the program that gave it up. conf/base.config notes each task that is given up.
def reasonOf(id, step) {
    def process = step == 'check_cells' ? 'GENEFORMER_CHECK'
        : step in ['bridge', 'tokenize', 'embed'] ? "GENEFORMER_${step.toUpperCase()}"
        : step == 'dump' ? 'GST_DUMPPROTEINS' : "GST_${step.toUpperCase()}"
    def tags = System.getProperties().stringPropertyNames()
        .findAll { name -> name.startsWith("gst.failed.${process} (") }
        .collectEntries { name -> [name.substring(name.indexOf('(') + 1, name.length() - 1), name] }
    def tag = tags[id] ? id : tags.keySet().find { batch -> isInBatch(id, batch) }
    if (!tag) {
        return null
    }
    def (status, folder) = System.getProperty(tags[tag]).split('\t', 2)
    def errors = folder ? file(folder).resolve('.command.err') : null
    def said = errors && errors.exists() ? errors.readLines().findAll { line -> line.trim() } : []
    def sentence = said.reverse().find { line -> line.contains('error: ') } ?: (said ? said.last() : null)
    return sentence ? sentence.replaceFirst(/^.*?\berror: /, '') : "the task ended with exit status ${status}".toString()
}

// A batch is sorted, and tagged by its first and last id.
def isInBatch(id, tag) {
    def ends = tag.split(/\.\./)
    return ends.size() == 2 && ends[0] <= id && id <= ends[1]
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
