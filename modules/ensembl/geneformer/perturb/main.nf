process GENEFORMER_PERTURB {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0-geneformer'

    input:
    tuple val(meta), path(cells, stageAs: 'cells/*'), val(shard), path(shares, stageAs: 'shares?/*')
    val perturbation
    path(network, stageAs: 'network/*')
    path dictionaries

    output:
    tuple val(meta), path("${prefix}"), emit: perturbed
    tuple val(meta), path("${prefix}/shifts.parquet"), optional: true, emit: shifts
    tuple val("${task.process}"), val('geneformer'), eval('geneformer --version'), emit: versions_geneformer, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}_perturbed"
    def share = shard ? "--shard ${shard}" : ''
    // What other tasks did is not done again: with all shares here, the table is made of them.
    def gather = shares ? "for share in shares*/*; do cp -rL \"\${share}/.\" ${prefix}; done" : ''
    // A GPU job that lost its GPU must fail, not crawl: never 'auto' where one was asked for.
    def device = task.accelerator ? 'cuda' : 'cpu'
    """
    mkdir ${prefix}
    ${gather}

    geneformer perturb \\
        ${cells} \\
        --checkpoint ${network} \\
        --resources ${dictionaries} \\
        --perturbation ${perturbation} \\
        --output ${prefix} \\
        --device ${device} \\
        --threads ${task.cpus} \\
        ${share} \\
        ${args}
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}_perturbed"
    """
    mkdir ${prefix}
    touch ${prefix}/perturbation.json ${prefix}/shifts.parquet
    """
}
