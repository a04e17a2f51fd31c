process GST_CHECK {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0'

    input:
    tuple val(meta), val(database)

    output:
    tuple val(meta), path("${prefix}.tap"), emit: tap
    tuple val("${task.process}"), val('gst'), eval('gst --version'), emit: versions_gst, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    // A datacheck that fails is a result and gives a document; only without one has the task failed.
    """
    gst db check \\
        --url '${database}' \\
        --format tap \\
        ${args} \\
        > ${prefix}.tap || [ -s ${prefix}.tap ]
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.tap
    """
}
