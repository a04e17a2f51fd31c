/*
 * Names the proteins of genomes, given as such or by annotations, and filters the names by their probability.
 */

include { NAME_IN_BATCHES } from '../name_in_batches'
include { GST_ASSIGN      } from '../../../modules/ensembl/gst/assign'
include { GST_FILTER      } from '../../../modules/ensembl/gst/filter'

workflow NAME_PROTEINS {
    take:
    proteins    // [meta, fasta]
    annotations // [meta, annotation, its genome or []]
    batch_size  // genomes a task
    threshold   // least probability in the filtered tables
    checkpoint  // model file, or []

    main:
    batched = channel.empty()
    by_batch = channel.empty()
    left = proteins

    if (batch_size > 1) {
        NAME_IN_BATCHES(proteins, batch_size, checkpoint)
        batched = NAME_IN_BATCHES.out.tables
        by_batch = NAME_IN_BATCHES.out.raw
        // What a batch could not name is tried on its own, where it may fail with its own reason.
        left = NAME_IN_BATCHES.out.left
    }
    // Annotations are whole genomes: each is a task.
    single = left
        .map { meta, fasta -> [meta, fasta, []] }
        .mix(annotations)
        .map { meta, input, genome -> [meta, meta.id, input, genome, meta.taxon_id ?: meta.scientific_name] }
    GST_ASSIGN(single, checkpoint)
    tables = batched.mix(GST_ASSIGN.out.tsv)

    // A batch is filtered in one task too.
    GST_FILTER(by_batch.mix(GST_ASSIGN.out.tsv), threshold)
    filtered = GST_FILTER.out.tsv
        .flatMap { _batch, files -> (files instanceof List ? files : [files]).collect { tsv -> [tsv.baseName - ~/_filtered$/, tsv] } }
    with_meta = tables
        .map { meta, _tsv -> [meta.id, meta] }
        .join(filtered)
        .map { _id, meta, tsv -> [meta, tsv] }

    emit:
    tables                                  // [meta, table], all proteins
    annotations = GST_ASSIGN.out.annotation // [meta, annotation with names]
    filtered    = with_meta                 // [meta, table], those at or above the threshold
}
