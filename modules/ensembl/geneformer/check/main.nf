process GENEFORMER_CHECK {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0-geneformer'

    input:
    tuple val(meta), path(counts, stageAs: 'counts/*')
    path dictionaries

    output:
    tuple val(meta), path("${prefix}.json"), emit: json
    tuple val("${task.process}"), val('geneformer'), eval('geneformer --version'), emit: versions_geneformer, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    // Counts that are unfit are a result and give a document.
    """
    geneformer check \\
        ${counts} \\
        --resources ${dictionaries} \\
        --format json \\
        --allow_failures \\
        ${args} \\
        > ${prefix}.json
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.json
    """
}
