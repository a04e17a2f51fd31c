process GST_LOAD {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0'

    input:
    tuple val(meta), path(tsv), val(database), val(species)
    val threshold
    path primary_ids

    output:
    tuple val(meta), path("${prefix}.tsv"), emit: plan
    tuple val("${task.process}"), val('gst'), eval('gst --version'), emit: versions_gst, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def one_of_many = species ? "--species ${species}" : ''
    def accessions = primary_ids ? "--primary_ids_file ${primary_ids}" : ''
    prefix = task.ext.prefix ?: "${meta.id}_loaded"
    // One transaction, and a second run changes nothing: safe to try again.
    """
    gst db load \\
        --symbol_assignments ${tsv} \\
        --threshold ${threshold} \\
        --url '${database}' \\
        ${one_of_many} \\
        ${accessions} \\
        --plan ${prefix}.tsv \\
        ${args}
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}_loaded"
    """
    touch ${prefix}.tsv
    """
}
