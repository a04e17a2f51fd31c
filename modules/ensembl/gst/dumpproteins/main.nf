process GST_DUMPPROTEINS {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0'

    input:
    tuple val(meta), val(database), val(species)

    output:
    tuple val(meta), path("${prefix}.fa"), emit: fasta
    tuple val("${task.process}"), val('gst'), eval('gst --version'), emit: versions_gst, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def one_of_many = species ? "--species ${species}" : ''
    prefix = task.ext.prefix ?: "${meta.id}"
    // The password comes from the environment variable GST_DB_PASSWORD, never by the command line.
    """
    gst db dump \\
        --url '${database}' \\
        ${one_of_many} \\
        --output ${prefix}.fa \\
        --quiet \\
        ${args}
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.fa
    """
}
