process GST_CHECK {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0'

    input:
    tuple val(meta), val(database), val(species), path(baseline)

    output:
    tuple val(meta), path("${prefix}.${suffix}"), emit: datachecks
    tuple val("${task.process}"), val('gst'), eval('gst --version'), emit: versions_gst, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def one_of_many = species ? "--species ${species}" : ''
    def before = baseline ? "--baseline ${baseline}" : ''
    prefix = task.ext.prefix ?: "${meta.id}"
    suffix = args.contains('--format json') ? 'json' : 'tap'
    // A datacheck that fails is a result and gives a document.
    """
    gst db check \\
        --url '${database}' \\
        ${one_of_many} \\
        ${before} \\
        --allow_failures \\
        ${args} \\
        > ${prefix}.${suffix}
    """

    stub:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    suffix = args.contains('--format json') ? 'json' : 'tap'
    """
    touch ${prefix}.${suffix}
    """
}
