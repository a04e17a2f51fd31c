process GST_FILTER {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0'

    input:
    tuple val(meta), path(tsv)
    val threshold

    output:
    tuple val(meta), path("${prefix}.tsv"), emit: tsv
    tuple val("${task.process}"), val('gst'), eval('gst --version'), emit: versions_gst, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}_filtered"
    """
    gst filter \\
        --symbol_assignments ${tsv} \\
        --threshold ${threshold} \\
        --output ${prefix}.tsv \\
        ${args}
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}_filtered"
    """
    touch ${prefix}.tsv
    """
}
