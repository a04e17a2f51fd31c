process GST_FILTER {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0'

    input:
    tuple val(meta), path(tsv, stageAs: 'symbols/*')
    val threshold

    output:
    tuple val(meta), path("${prefix}/*.tsv"), emit: tsv
    tuple val("${task.process}"), val('gst'), eval('gst --version'), emit: versions_gst, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: 'filtered'
    def tables = [tsv].flatten().collect { table -> "--symbol_assignments ${table}" }.join(' ')
    """
    gst filter \\
        ${tables} \\
        --threshold ${threshold} \\
        --output ${prefix}/ \\
        ${args}
    """

    stub:
    prefix = task.ext.prefix ?: 'filtered'
    def names = [tsv].flatten().collect { table -> "${prefix}/${table.baseName}_filtered.tsv" }
    """
    mkdir ${prefix}
    touch ${names.join(' ')}
    """
}
