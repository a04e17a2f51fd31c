process GST_FILTER {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0'

    input:
    tuple val(meta), path(tsv)
    val threshold

    output:
    tuple val(meta), path("*.tsv"), emit: tsv
    tuple val("${task.process}"), val('gst'), eval('gst --version'), emit: versions_gst, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: "${meta.id}_filtered"
    // The tables of a batch keep their own names.
    def tables = meta['genomes'] ? '*.tsv' : "${tsv}"
    def filtered = meta['genomes'] ? '${table%.tsv}_filtered' : prefix
    """
    for table in ${tables}; do
        gst filter \\
            --symbol_assignments "\$table" \\
            --threshold ${threshold} \\
            --output "${filtered}.tsv" \\
            ${args}
    done
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}_filtered"
    def names = meta['genomes'] ? meta['genomes'].collect { genome -> "${genome.id}_filtered" } : [prefix]
    """
    touch ${names.collect { name -> "${name}.tsv" }.join(' ')}
    """
}
