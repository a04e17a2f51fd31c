// One word for the shell, whatever is in it.
def quote(text) {
    return "'" + text.toString().replace("'", "'\\''") + "'"
}

process GST_ASSIGN {
    tag "${meta.id}"
    label 'process_medium'
    label 'process_gpu'

    conda "${moduleDir}/${task.accelerator ? 'environment.gpu.yml' : 'environment.yml'}"
    container "${task.accelerator ? 'docker.io/ensemblorg/gst:1.0.0-gpu' : 'docker.io/ensemblorg/gst:1.0.0'}"

    input:
    tuple val(meta), path(fasta, stageAs: 'proteins?/*')

    output:
    tuple val(meta), path("*.tsv"), emit: tsv
    tuple val("${task.process}"), val('gst_assign'), eval('gst_assign --version'), emit: versions_gst_assign, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: "${meta.id}"
    // A GPU job that lost its GPU must fail, not crawl: never 'auto' where one was asked for.
    def device = task.accelerator ? 'cuda' : 'cpu'
    def species = meta['taxon_id'] ? "--taxon_id ${meta['taxon_id']}" : meta['scientific_name'] ? "--scientific_name ${quote(meta['scientific_name'])}" : ''
    // A batch names its genomes in meta['genomes'], in the order of the files.
    def genomes = meta['genomes'] ?: []
    def fastas = fasta instanceof List ? fasta : [fasta]
    def rows = genomes.withIndex().collect { genome, index ->
        quote("${genome.id},${fastas[index]},\"${genome.scientific_name ?: ''}\",${genome.taxon_id ?: ''}")
    }
    def write_manifest = rows ? "printf '%s\\n' id,fasta,scientific_name,taxon_id ${rows.join(' ')} > manifest.csv" : ''
    def files = rows ? '--manifest manifest.csv --output .' : "--sequences_fasta ${fasta} ${species} --output ${prefix}.tsv"
    """
    ${write_manifest}
    gst_assign \\
        ${files} \\
        --device ${device} \\
        --threads ${task.cpus} \\
        --quiet \\
        ${args}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    def names = meta['genomes'] ? meta['genomes'].collect { genome -> genome.id } : [prefix]
    """
    touch ${names.collect { name -> "${name}.tsv" }.join(' ')}
    """
}
