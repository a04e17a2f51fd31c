/*
 * Cells of species whose genes have just been named: to human genes, to tokens, to embeddings.
 */

include { isFit               } from '../../../modules/local/handover'
include { GENEFORMER_BRIDGE   } from '../../../modules/ensembl/geneformer/bridge'
include { GENEFORMER_CHECK    } from '../../../modules/ensembl/geneformer/check'
include { GENEFORMER_TOKENIZE } from '../../../modules/ensembl/geneformer/tokenize'
include { GENEFORMER_EMBED    } from '../../../modules/ensembl/geneformer/embed'

workflow EMBED_CELLS {
    take:
    symbols      // [meta, table], all proteins
    proteins     // [meta, fasta, or [] where tables bear the ids of genes]
    threshold    // least probability of a symbol that is believed
    network      // folder or .onnx file
    dictionaries // folder of geneformer setup

    main:
    counted = symbols
        .filter { meta, _tsv -> meta.counts }
        .join(proteins)
        .map { meta, tsv, fasta -> [meta, tsv, meta.counts, fasta, meta.scientific_name] }
    GENEFORMER_BRIDGE(counted, threshold, dictionaries)
    GENEFORMER_CHECK(GENEFORMER_BRIDGE.out.h5ad, dictionaries)

    // Counts whose tokens would be wrong go no further.
    fit = GENEFORMER_BRIDGE.out.h5ad
        .join(GENEFORMER_CHECK.out.json.filter { _meta, json -> isFit(json) })
        .map { meta, h5ad, _json -> [meta, h5ad] }
    GENEFORMER_TOKENIZE(fit, dictionaries)
    GENEFORMER_EMBED(GENEFORMER_TOKENIZE.out.dataset, network, dictionaries, 'h5ad')

    emit:
    human    = GENEFORMER_BRIDGE.out.h5ad      // [meta, counts of human genes]
    reports  = GENEFORMER_BRIDGE.out.report    // [meta, what the bridge led where]
    genes    = GENEFORMER_BRIDGE.out.genes     // [meta, table of the species' genes]
    checks   = GENEFORMER_CHECK.out.json       // [meta, whether the counts are fit]
    tokens   = GENEFORMER_TOKENIZE.out.dataset // [meta, dataset]
    embedded = GENEFORMER_EMBED.out.embedded   // [meta, cells]
    plots    = GENEFORMER_EMBED.out.plot       // [meta, picture]
}
