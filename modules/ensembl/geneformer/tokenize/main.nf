process GENEFORMER_TOKENIZE {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0-geneformer'

    input:
    tuple val(meta), path(counts, stageAs: 'counts/*')
    path dictionaries

    output:
    tuple val(meta), path("${prefix}.dataset"), emit: dataset
    tuple val("${task.process}"), val('geneformer'), eval('geneformer --version'), emit: versions_geneformer, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    geneformer tokenize \\
        ${counts} \\
        --resources ${dictionaries} \\
        --output ${prefix}.dataset \\
        ${args}
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    mkdir ${prefix}.dataset
    touch ${prefix}.dataset/state.json
    """
}
