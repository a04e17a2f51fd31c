#!/usr/bin/env nextflow
/*
 * Gene symbols for the proteins of many genomes: assign -> filter -> report.
 */

include { checkParams ; readSamplesheet                   } from './modules/local/inputs'
include { genomeRecord ; outputManifest ; softwareVersions } from './modules/local/handover'
include { ASSIGN                                           } from './modules/local/assign'
include { GST_FILTER                                       } from './modules/ensembl/gst/filter'
include { GST_REPORT                                       } from './modules/ensembl/gst/report'

// Types; defaults are in nextflow.config and ranges in nextflow_schema.json.
params {
    // Samplesheet: one genome a row
    input: Path
    // Folder for everything that is published
    outdir: String
    // How results get there from the work directory
    publish_mode: String
    // Least probability of a symbol in the filtered tables
    threshold: Float
    // Genomes named by one task
    batch_size: Integer
    // Model file in place of the one inside the program
    checkpoint: String
}

workflow {
    main:
    checkParams(params, file("${projectDir}/nextflow_schema.json"))
    samplesheet = file(params.input)

    // meta: a row of the samplesheet
    genomes = channel.fromList(readSamplesheet(samplesheet, file("${projectDir}/assets/schema_input.json")))

    // [meta, fasta]
    proteins = genomes.map { meta -> [meta.subMap('id', 'scientific_name', 'taxon_id'), meta.fasta] }

    // [id, table]
    tables = ASSIGN(proteins, params.batch_size)

    GST_FILTER(tables.map { id, tsv -> [[id: id], tsv] }, params.threshold)

    GST_REPORT(
        tables
            .toSortedList { a, b -> a[0] <=> b[0] }
            .filter { named -> named }
            .map { named -> [[id: 'gene_symbols'], named.collect { _id, tsv -> tsv }, samplesheet] }
    )

    // [meta, table or null, filtered table or null]: every genome of the samplesheet, failed ones too
    results = genomes
        .map { meta -> [meta.id, meta] }
        .join(tables, remainder: true)
        .join(GST_FILTER.out.tsv.map { meta, tsv -> [meta.id, tsv] }, remainder: true)
        .map { _id, meta, table, filtered -> [meta, table, filtered] }

    run = [pipeline: workflow.manifest.name, version: workflow.manifest.version, nextflow: nextflow.version.toString(), threshold: params.threshold]
    records = results
        .map { meta, table, filtered -> genomeRecord(meta, table, filtered) }
        .toSortedList { a, b -> a.id <=> b.id }
    records.subscribe { all ->
        def failed = all.findAll { record -> record.status == 'failed' }
        if (failed) {
            log.warn("${failed.size()} of ${all.size()} genomes failed: " + failed.collect { record -> "${record.id} (${record.failed_step})" }.join(', '))
        }
    }

    publish:
    symbols = results
        .filter { _meta, table, _filtered -> table }
        .map { meta, table, filtered -> [id: meta.id, symbols: table, filtered_symbols: filtered] }
    report = GST_REPORT.out.html.mix(GST_REPORT.out.genome_table, GST_REPORT.out.multiqc)
    manifest = records.map { all -> outputManifest(all, run) }.collectFile(name: 'output_manifest.json')
    versions = channel.topic('versions').toList().map { tuples -> softwareVersions(tuples, run) }.collectFile(name: 'software_versions.yml')
}

output {
    symbols {
        path { genome -> "symbols/${genome.id}" }
    }
    report {
        path 'report'
    }
    manifest {
        path '.'
    }
    versions {
        path 'pipeline_info'
    }
}
