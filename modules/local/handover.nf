/*
 * What a run leaves behind for people and for other pipelines.
 */

// One genome's record: where its files will lie below --outdir, or the step it failed at.
def genomeRecord(meta, table, filtered) {
    def folder = "symbols/${meta.id}"
    return [
        id: meta.id,
        scientific_name: meta.scientific_name,
        taxon_id: meta.taxon_id as Integer,
        status: filtered ? 'done' : 'failed',
        failed_step: filtered ? null : table ? 'filter' : 'assign',
        symbols: table ? "${folder}/${table.name}".toString() : null,
        filtered_symbols: filtered ? "${folder}/${filtered.name}".toString() : null,
        gff3: meta.gff3?.toUriString(),
        genome: meta.genome?.toUriString(),
    ]
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
