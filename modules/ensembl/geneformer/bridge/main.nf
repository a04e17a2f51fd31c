process GENEFORMER_BRIDGE {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0-geneformer'

    input:
    tuple val(meta), path(tsv, stageAs: 'symbols/*'), path(counts, stageAs: 'counts/*'), path(proteins, stageAs: 'proteins/*'), val(species)
    val threshold
    path dictionaries

    output:
    tuple val(meta), path("${prefix}.h5ad"), emit: h5ad
    tuple val(meta), path("${prefix}.json"), emit: report
    tuple val(meta), path("${prefix}.tsv"), emit: genes
    tuple val("${task.process}"), val('geneformer'), eval('geneformer --version'), emit: versions_geneformer, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def headers = proteins ? "--proteins_fasta ${proteins}" : ''
    def name = species ? "--species '${species.toString().replace("'", "'\\''")}'" : ''
    prefix = task.ext.prefix ?: "${meta.id}_human"
    """
    geneformer bridge \\
        --assignments ${tsv} \\
        --counts ${counts} \\
        --threshold ${threshold} \\
        --resources ${dictionaries} \\
        --output ${prefix}.h5ad \\
        --report ${prefix}.json \\
        --genes ${prefix}.tsv \\
        --quiet \\
        ${headers} \\
        ${name} \\
        ${args}
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}_human"
    """
    touch ${prefix}.h5ad ${prefix}.json ${prefix}.tsv
    """
}
