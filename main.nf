#!/usr/bin/env nextflow
/*
 * Gene symbols for the proteins of many genomes: (dump ->) assign -> filter -> report (-> load -> check).
 */

include { checkParams ; readSamplesheet } from './modules/local/inputs'
include { folderOf ; genomeRecord ; outputManifest ; softwareVersions ; warnOfFailures } from './modules/local/handover'
include { ASSIGN           } from './modules/local/assign'
include { LOAD             } from './modules/local/database'
include { GST_DUMPPROTEINS } from './modules/ensembl/gst/dumpproteins'
include { GST_REPORT       } from './modules/ensembl/gst/report'

// Types; the defaults are in nextflow.config, the ranges in nextflow_schema.json.
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
    // Put the symbols into the databases that proteins came from
    load: Boolean
    // Accessions of symbols, for loading
    primary_ids: Path
}

workflow {
    main:
    checkParams(params, file("${projectDir}/nextflow_schema.json"))
    samplesheet = file(params.input)

    // meta: a row of the samplesheet, every column
    genomes = channel.fromList(readSamplesheet(samplesheet, file("${projectDir}/assets/schema_input.json")))

    GST_DUMPPROTEINS(genomes.filter { meta -> meta.database }.map { meta -> [meta, meta.database] })

    // [meta, fasta]
    proteins = genomes
        .filter { meta -> meta.fasta }
        .map { meta -> [meta, meta.fasta] }
        .mix(GST_DUMPPROTEINS.out.fasta)

    // [meta, table], all proteins and those at or above the threshold
    ASSIGN(proteins, params.batch_size, params.threshold)
    tables = ASSIGN.out.tables
    filtered = ASSIGN.out.filtered

    // One report over all genomes, always in the same order
    named = tables
        .toSortedList { a, b -> a[0].id <=> b[0].id }
        .filter { pairs -> pairs }
        .map { pairs -> [[id: 'gene_symbols'], pairs.collect { _meta, tsv -> tsv }, samplesheet] }
    GST_REPORT(named)

    to_load = filtered.filter { meta, _tsv -> params.load && meta.database }
    LOAD(to_load, params.threshold, params.primary_ids ? file(params.primary_ids) : [])

    // [meta, [step: file]]: every genome of the samplesheet, those that failed too
    steps = [dump: GST_DUMPPROTEINS.out.fasta, assign: tables, filter: filtered, load: LOAD.out.plans, check: LOAD.out.taps]
        .collect { step, files -> files.map { meta, file -> [meta.id, [step, file]] } }
        .inject { all, more -> all.mix(more) }
        .groupTuple()
    records = genomes
        .map { meta -> [meta.id, meta] }
        .join(steps, remainder: true)
        .map { _id, meta, files -> genomeRecord(meta, (files ?: []).collectEntries(), params.load) }
        .toSortedList { a, b -> a.id <=> b.id }
    records.subscribe { all -> warnOfFailures(all) }

    run = [pipeline: workflow.manifest.name, version: workflow.manifest.version, nextflow: nextflow.version.toString(), threshold: params.threshold]

    publish:
    symbols = tables.mix(filtered, LOAD.out.plans, LOAD.out.taps).map { meta, file -> [id: meta.id, file: file] }
    report = GST_REPORT.out.html.mix(GST_REPORT.out.genome_table, GST_REPORT.out.multiqc)
    manifest = records.map { all -> outputManifest(all, run) }.collectFile(name: 'output_manifest.json')
    versions = channel.topic('versions').toList().map { tuples -> softwareVersions(tuples, run) }.collectFile(name: 'software_mqc_versions.yml')
}

output {
    symbols {
        path { genome -> folderOf(genome.id) }
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
