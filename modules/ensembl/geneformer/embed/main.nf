process GENEFORMER_EMBED {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0-geneformer'

    input:
    tuple val(meta), path(cells, stageAs: 'cells/*')
    path(network, stageAs: 'network/*')
    path dictionaries
    val format

    output:
    tuple val(meta), path("${prefix}.${format}"), emit: embedded
    tuple val(meta), path("${prefix}.png"), optional: true, emit: plot
    tuple val("${task.process}"), val('geneformer'), eval('geneformer --version'), emit: versions_geneformer, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}_embedded"
    // A picture of cells, not of genes.
    def plot = args.contains('--embedding gene') ? '' : "--plot ${prefix}.png"
    // A GPU job that lost its GPU must fail, not crawl: never 'auto' where one was asked for.
    def device = task.accelerator ? 'cuda' : 'cpu'
    """
    geneformer embed \\
        ${cells} \\
        --checkpoint ${network} \\
        --resources ${dictionaries} \\
        --output ${prefix}.${format} \\
        --device ${device} \\
        --threads ${task.cpus} \\
        ${plot} \\
        ${args}
    """

    stub:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}_embedded"
    def plot = args.contains('--embedding gene') ? '' : "${prefix}.png"
    """
    touch ${prefix}.${format} ${plot}
    """
}
