/*
 * Names the proteins of many genomes, several genomes a task where a task's start-up would outweigh them.
 */

include { GST_ASSIGN as GST_ASSIGN_BATCH } from '../../../modules/ensembl/gst/assign'

workflow NAME_IN_BATCHES {
    take:
    proteins   // [meta, fasta]
    batch_size // genomes a task
    checkpoint // model file, or []

    main:
    // Sorted, so that the same genomes make the same batches in a resumed run.
    batches = proteins
        .toSortedList { a, b -> a[0].id <=> b[0].id }
        .flatMap { genomes -> genomes.collate(batch_size) }
        .map { genomes ->
            def metas = genomes.collect { meta, _fasta -> meta }
            def fastas = genomes.collect { _meta, fasta -> fasta }
            [[id: "${metas[0].id}..${metas[-1].id}"], metas*.id, fastas, [], metas.collect { meta -> meta.taxon_id ?: meta.scientific_name }]
        }
    GST_ASSIGN_BATCH(batches, checkpoint)

    // By the genome's id: each table in the task's folder bears one, and nothing else is in there.
    tables = GST_ASSIGN_BATCH.out.tsv
        .flatMap { _batch, files -> (files instanceof List ? files : [files]).collect { tsv -> [tsv.baseName, tsv] } }
    named = proteins
        .map { meta, fasta -> [meta.id, meta, fasta] }
        .join(tables, remainder: true)
        .branch { _id, meta, fasta, tsv ->
            done: tsv
                return [meta, tsv]
            left: true
                return [meta, fasta]
        }

    emit:
    tables = named.done                   // [meta, table]
    left   = named.left                   // [meta, fasta], which no batch could name
    raw    = GST_ASSIGN_BATCH.out.tsv     // [meta of a batch, tables]
}
