#!/usr/bin/env nextflow
/*
 * Gene symbols for the proteins of many genomes: (dump ->) assign -> filter -> report (-> load -> check).
 */

include { checkedParams ; readSamplesheet ; stopFor } from './modules/local/inputs'
include { failuresOf ; folderOf ; genomeRecord ; outputManifest ; sentencesOf ; softwareVersions } from './modules/local/handover'
include { NAME_PROTEINS    } from './subworkflows/local/name_proteins'
include { LOAD_SYMBOLS     } from './subworkflows/local/load_symbols'
include { GST_DUMPPROTEINS } from './modules/ensembl/gst/dumpproteins'
include { GST_REPORT       } from './modules/ensembl/gst/report'

workflow {
    main:
    options = checkedParams(params, file("${projectDir}/nextflow_schema.json"))
    samplesheet = file(options.input)
    rows = readSamplesheet(samplesheet, file("${projectDir}/assets/schema_input.json"))
    stopFor(options.load && !rows.any { meta -> meta.database } ? ["--load: no row has a 'database' to load symbols into"] : [], "the samplesheet ${samplesheet}")

    // meta: a row of the samplesheet, every column
    genomes = channel.fromList(rows)

    GST_DUMPPROTEINS(genomes.filter { meta -> meta.database }.map { meta -> [meta, meta.database, meta.production_name ?: ''] })

    // [meta, fasta]
    proteins = genomes
        .filter { meta -> meta.fasta }
        .map { meta -> [meta, meta.fasta] }
        .mix(GST_DUMPPROTEINS.out.fasta)

    // [meta, table], all proteins and those at or above the threshold
    NAME_PROTEINS(proteins, options.batch_size, options.threshold)
    tables = NAME_PROTEINS.out.tables
    filtered = NAME_PROTEINS.out.filtered

    to_load = filtered.filter { meta, _tsv -> options.load && meta.database }
    LOAD_SYMBOLS(to_load, options.threshold, options.primary_ids ? file(options.primary_ids) : [])

    // [id, [step, file]]: every genome of the samplesheet, those that failed too
    steps = GST_DUMPPROTEINS.out.fasta.map { meta, file -> [meta.id, ['dump', file]] }
        .mix(
            tables.map { meta, file -> [meta.id, ['assign', file]] },
            filtered.map { meta, file -> [meta.id, ['filter', file]] },
            LOAD_SYMBOLS.out.before.map { meta, file -> [meta.id, ['check_before', file]] },
            LOAD_SYMBOLS.out.plans.map { meta, file -> [meta.id, ['load', file]] },
            LOAD_SYMBOLS.out.taps.map { meta, file -> [meta.id, ['check', file]] },
        )
        .groupTuple()
    records = genomes
        .map { meta -> [meta.id, meta] }
        .join(steps, remainder: true)
        .map { _id, meta, files -> genomeRecord(meta, (files ?: []).collectEntries(), options.load) }
        .toSortedList { a, b -> a.id <=> b.id }

    // One report over all genomes, always in the same order
    all_tables = tables
        .toSortedList { a, b -> a[0].id <=> b[0].id }
        .map { pairs -> [pairs.collect { _meta, tsv -> tsv }] }
    GST_REPORT(
        records.map { all -> [failuresOf(all)] }.combine(all_tables).map { failures, tsvs -> [[id: 'gene_symbols'], tsvs, samplesheet, failures] },
        options.threshold,
    )

    run = [pipeline: workflow.manifest.name, version: workflow.manifest.version, nextflow: nextflow.version.toString(), threshold: options.threshold]

    // What failed is said at the end, when all else is finished and published.
    sentences = []
    records.subscribe { all -> sentences.addAll(sentencesOf(all)) }
    workflow.onComplete {
        if (sentences && options.ignore_failures) {
            log.warn(sentences.join('\n'))
        }
        else if (sentences) {
            error(sentences.join('\n'))
        }
    }

    publish:
    symbols = tables
    filtered_symbols = filtered
    loaded_symbols = LOAD_SYMBOLS.out.plans
    datachecks = LOAD_SYMBOLS.out.taps
    report = GST_REPORT.out.html
    genome_table = GST_REPORT.out.genome_table
    multiqc = GST_REPORT.out.multiqc
    manifest = records.map { all -> outputManifest(all, run) }.collectFile(name: 'output_manifest.json')
    versions = channel.topic('versions').toList().map { tuples -> softwareVersions(tuples, run) }.collectFile(name: 'software_mqc_versions.yml')
}

output {
    symbols {
        path { meta, _tsv -> folderOf(meta.id) }
    }
    filtered_symbols {
        path { meta, _tsv -> folderOf(meta.id) }
    }
    loaded_symbols {
        path { meta, _plan -> folderOf(meta.id) }
    }
    datachecks {
        path { meta, _tap -> folderOf(meta.id) }
    }
    report {
        path 'report'
    }
    genome_table {
        path 'report'
    }
    multiqc {
        path 'report'
    }
    manifest {
        path '.'
    }
    versions {
        path 'pipeline_info'
    }
}
