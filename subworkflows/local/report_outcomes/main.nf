/*
 * What became of every genome: the report, the manifest, and the run's own end.
 */

include { failuresOf ; genomeRecord ; outputManifest ; sentencesOf } from '../../../modules/local/handover'
include { FAIL_RUN                  } from '../../../modules/local/fail_run'
include { GST_REPORT                } from '../../../modules/ensembl/gst/report'

workflow REPORT_OUTCOMES {
    take:
    genomes     // meta of each
    steps       // map: step -> channel of [meta, file]
    samplesheet // species for the report
    options     // map: threshold, load, ignore_failures
    run         // map: what the manifest says of the run
    last        // channel of what else must be there before a run may fail

    main:
    files = steps
        .collect { step, outputs -> outputs.map { meta, file -> [meta.id, [step, file]] } }
        .inject { all, more -> all.mix(more) }
        .groupTuple()

    // Every genome of the samplesheet, those that failed too
    records = genomes
        .map { meta -> [meta.id, meta] }
        .join(files, remainder: true)
        .map { _id, meta, named -> genomeRecord(meta, (named ?: []).collectEntries(), options.load) }
        .toSortedList { a, b -> a.id <=> b.id }
    manifest = records.map { all -> outputManifest(all, run) }.collectFile(name: 'output_manifest.json')

    // One report over all genomes, always in the same order
    tables = steps.assign
        .toSortedList { a, b -> a[0].id <=> b[0].id }
        .map { pairs -> [pairs.collect { _meta, tsv -> tsv }] }
    GST_REPORT(
        records
            .map { all -> [failuresOf(all)] }
            .combine(tables)
            .map { failures, tsvs -> [[id: 'gene_symbols'], tsvs, samplesheet, failures] },
        options.threshold,
    )

    // What failed is said when all else is finished and published.
    failed = records.map { all -> [sentencesOf(all)] }.filter { sentences -> sentences[0] }
    if (options.ignore_failures) {
        failed.subscribe { sentences -> log.warn(sentences[0].join('\n')) }
    }
    else {
        FAIL_RUN(failed.combine(manifest).combine(last).combine(GST_REPORT.out.html).map { row -> row[0] })
    }

    emit:
    html         = GST_REPORT.out.html         // [meta, page]
    genome_table = GST_REPORT.out.genome_table // [meta, table]
    multiqc      = GST_REPORT.out.multiqc      // [meta, files]
    manifest                                   // output_manifest.json
}
