/*
 * Names the proteins of genomes, several genomes a task where a task's start-up would outweigh them.
 */

include { GST_ASSIGN                     } from '../ensembl/gst/assign'
include { GST_ASSIGN as GST_ASSIGN_BATCH } from '../ensembl/gst/assign'

workflow ASSIGN {
    take:
    proteins   // [meta, fasta]
    batch_size // genomes a task

    main:
    batched = channel.empty()
    left = proteins

    if (batch_size > 1) {
        // Sorted, so that the same genomes make the same batches in a resumed run.
        batches = proteins
            .toSortedList { a, b -> a[0].id <=> b[0].id }
            .flatMap { genomes -> genomes.collate(batch_size) }
            .map { genomes ->
                def metas = genomes.collect { meta, _fasta -> meta }
                [[id: "${metas[0].id}..${metas[-1].id}", genomes: metas], genomes.collect { _meta, fasta -> fasta }]
            }
        GST_ASSIGN_BATCH(batches)
        batched = GST_ASSIGN_BATCH.out.tsv.transpose().map { batch, tsv ->
            [batch.genomes.find { meta -> meta.id == tsv.baseName }, tsv]
        }

        // A batch that failed for good is taken apart: one bad genome must not cost the others their names.
        left = proteins
            .join(batched, remainder: true)
            .filter { _meta, _fasta, tsv -> !tsv }
            .map { meta, fasta, _tsv -> [meta, fasta] }
    }

    GST_ASSIGN(left)

    emit:
    batched.mix(GST_ASSIGN.out.tsv) // [meta, table]
}
