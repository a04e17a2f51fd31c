#!/usr/bin/env nextflow
/*
 * Gene symbols for the proteins of many genomes: (dump ->) assign -> filter (-> check -> load -> check) -> report;
 * and, where there are counts of single cells: assign -> bridge -> check -> tokenize -> embed.
 */

include { checkedParams ; isAnnotated ; optionalFile ; readSamplesheet } from './modules/local/inputs'
include { cellsOf ; folderOf ; softwareVersions } from './modules/local/handover'
include { NAME_PROTEINS    } from './subworkflows/local/name_proteins'
include { LOAD_SYMBOLS     } from './subworkflows/local/load_symbols'
include { EMBED_CELLS      } from './subworkflows/local/embed_cells'
include { REPORT_OUTCOMES  } from './subworkflows/local/report_outcomes'
include { GST_DUMPPROTEINS } from './modules/ensembl/gst/dumpproteins'

workflow {
    main:
    options = checkedParams(params, file("${projectDir}/nextflow_schema.json"), workflow.outputDir)
    samplesheet = file(options.input, glob: false)

    // meta: a row of the samplesheet, every column
    genomes = channel.fromList(readSamplesheet(samplesheet, file("${projectDir}/assets/schema_input.json"), options))

    GST_DUMPPROTEINS(genomes.filter { meta -> meta.database }.map { meta -> [meta, meta.database, meta.production_name ?: ''] })

    // [meta, proteins]
    proteins = genomes
        .filter { meta -> meta.fasta }
        .map { meta -> [meta, meta.fasta] }
        .mix(GST_DUMPPROTEINS.out.fasta)
    // [meta, annotation, its genome]
    annotations = genomes
        .filter { meta -> isAnnotated(meta) }
        .map { meta -> [meta, meta.gff3, meta.genome ?: []] }

    // [meta, table], all proteins and those at or above the threshold
    NAME_PROTEINS(proteins, annotations, options.batch_size, options.threshold, optionalFile(options.checkpoint))

    LOAD_SYMBOLS(
        NAME_PROTEINS.out.filtered.filter { meta, _tsv -> options.load && meta.database },
        options.threshold,
        optionalFile(options.primary_ids),
    )

    EMBED_CELLS(
        NAME_PROTEINS.out.tables,
        proteins.mix(annotations.map { meta, _gff3, _genome -> [meta, []] }),
        options.threshold,
        optionalFile(options.geneformer_model),
        optionalFile(options.geneformer_resources),
    )

    // What became of every genome of the samplesheet; those that failed fail the run, when all else is done
    run = [pipeline: workflow.manifest.name, version: workflow.manifest.version, nextflow: nextflow.version.toString(), threshold: options.threshold]
    versions = channel.topic('versions').toList().map { tuples -> softwareVersions(tuples, run) }.collectFile(name: 'software_mqc_versions.yml')
    REPORT_OUTCOMES(
        genomes,
        [
            dump: GST_DUMPPROTEINS.out.fasta,
            assign: NAME_PROTEINS.out.tables,
            annotate: NAME_PROTEINS.out.annotations,
            filter: NAME_PROTEINS.out.filtered,
            check_before: LOAD_SYMBOLS.out.before,
            load: LOAD_SYMBOLS.out.plans,
            check: LOAD_SYMBOLS.out.datachecks,
            bridge: EMBED_CELLS.out.human,
            check_cells: EMBED_CELLS.out.checks,
            tokenize: EMBED_CELLS.out.tokens,
            embed: EMBED_CELLS.out.embedded,
        ],
        samplesheet,
        options,
        run,
        versions,
    )

    publish:
    symbols = NAME_PROTEINS.out.tables
    named_annotations = NAME_PROTEINS.out.annotations
    filtered_symbols = NAME_PROTEINS.out.filtered
    loaded_symbols = LOAD_SYMBOLS.out.plans
    datachecks = LOAD_SYMBOLS.out.datachecks
    human_counts = EMBED_CELLS.out.human
    bridge_reports = EMBED_CELLS.out.reports
    bridged_genes = EMBED_CELLS.out.genes
    cell_checks = EMBED_CELLS.out.checks
    cell_tokens = EMBED_CELLS.out.tokens
    embedded_cells = EMBED_CELLS.out.embedded
    cell_plots = EMBED_CELLS.out.plots
    report = REPORT_OUTCOMES.out.html
    genome_table = REPORT_OUTCOMES.out.genome_table
    multiqc = REPORT_OUTCOMES.out.multiqc
    manifest = REPORT_OUTCOMES.out.manifest
    versions = versions
}

output {
    symbols {
        path { meta, tsv -> tsv >> "${folderOf(meta.id)}/${tsv.name}" }
    }
    named_annotations {
        path { meta, gff3 -> gff3 >> "${folderOf(meta.id)}/${gff3.name}" }
    }
    filtered_symbols {
        path { meta, tsv -> tsv >> "${folderOf(meta.id)}/${tsv.name}" }
    }
    loaded_symbols {
        path { meta, _plan -> folderOf(meta.id) }
    }
    datachecks {
        path { meta, _tap -> folderOf(meta.id) }
    }
    human_counts {
        path { meta, _h5ad -> cellsOf(meta.id) }
    }
    bridge_reports {
        path { meta, _json -> cellsOf(meta.id) }
    }
    bridged_genes {
        path { meta, _tsv -> cellsOf(meta.id) }
    }
    cell_checks {
        path { meta, _json -> cellsOf(meta.id) }
    }
    cell_tokens {
        path { meta, _dataset -> cellsOf(meta.id) }
    }
    embedded_cells {
        path { meta, _h5ad -> cellsOf(meta.id) }
    }
    cell_plots {
        path { meta, _png -> cellsOf(meta.id) }
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
