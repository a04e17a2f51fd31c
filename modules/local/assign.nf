/*
 * Names the proteins of genomes, several genomes a task where a task's start-up would outweigh them.
 */

include { GST_ASSIGN                     } from '../ensembl/gst/assign'
include { GST_ASSIGN as GST_ASSIGN_BATCH } from '../ensembl/gst/assign'
include { GST_FILTER                     } from '../ensembl/gst/filter'

workflow ASSIGN {
    take:
    proteins   // [meta, fasta]
    batch_size // genomes a task
    threshold  // least probability in the filtered tables

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
        batched = GST_ASSIGN_BATCH(batches).tsv

        // A batch that failed for good is taken apart: one bad genome must not cost the others their names.
        left = proteins
            .join(batched.flatMap { batch, _tables -> batch.genomes.collect { meta -> [meta, true] } }, remainder: true)
            .filter { _meta, _fasta, named -> !named }
            .map { meta, fasta, _named -> [meta, fasta] }
    }

    // [meta of a genome, table] and [meta of a batch, tables]
    tables = batched.mix(GST_ASSIGN(left).tsv)
    filtered = GST_FILTER(tables, threshold).tsv

    emit:
    tables = tables.flatMap { meta, files -> byGenome(meta, files, '.tsv') }              // [meta, table]
    filtered = filtered.flatMap { meta, files -> byGenome(meta, files, '_filtered.tsv') } // [meta, table]
}

// The files of a genome or of a batch's genomes, each with the genome's meta.
def byGenome(meta, files, ending) {
    def all = files instanceof List ? files : [files]
    return meta.genomes ? meta.genomes.collect { genome -> [genome, all.find { file -> file.name == "${genome.id}${ending}" }] } : [[meta, files]]
}
