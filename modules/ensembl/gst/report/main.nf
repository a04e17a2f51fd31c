process GST_REPORT {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container 'docker.io/ensemblorg/gst:1.0.0'

    input:
    tuple val(meta), path(tsv, stageAs: 'symbols/*'), path(samplesheet), val(failures)
    val threshold

    output:
    tuple val(meta), path("${prefix}.html"), emit: html
    tuple val(meta), path("${prefix}.tsv"), emit: genome_table
    tuple val(meta), path("*_mqc.json"), emit: multiqc
    tuple val("${task.process}"), val('gst'), eval('gst --version'), emit: versions_gst, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def species = samplesheet ? "--samplesheet ${samplesheet}" : ''
    def failed = failures ? '--failures failures.json' : ''
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    cat << 'END_OF_FAILURES' > failures.json
    ${groovy.json.JsonOutput.toJson(failures ?: [])}
    END_OF_FAILURES

    gst report \\
        --output ${prefix}.html \\
        --genome_table ${prefix}.tsv \\
        --multiqc . \\
        --threshold ${threshold} \\
        ${species} \\
        ${failed} \\
        ${args} \\
        ${tsv}
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.html ${prefix}.tsv gst_curve_mqc.json gst_statistics_mqc.json
    """
}
