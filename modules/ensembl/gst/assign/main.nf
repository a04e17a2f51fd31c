// A field of a CSV file, whatever is in it.
def csvField(text) {
    return '"' + text.toString().replace('"', '""') + '"'
}

def isAnnotation(name) {
    return name.toLowerCase() ==~ /.*\.(gff3?|gtf)(\.(gz|bgz|zst))?/
}

process GST_ASSIGN {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/${task.accelerator ? 'environment.gpu.yml' : 'environment.yml'}"
    container "${task.accelerator ? 'docker.io/ensemblorg/gst:1.0.0-gpu' : 'docker.io/ensemblorg/gst:1.0.0'}"

    input:
    tuple val(meta), val(ids), path(inputs, stageAs: 'inputs?/*'), path(genomes, stageAs: 'genomes?/*'), val(species)
    path checkpoint

    output:
    tuple val(meta), path("named/*.tsv"), optional: true, emit: tsv
    tuple val(meta), path("named/*.{gff,gff3,gtf}{,.gz,.bgz}"), optional: true, emit: annotation
    tuple val(meta), path("${prefix}_outcomes.json"), emit: outcomes
    tuple val("${task.process}"), val('gst_assign'), eval('gst_assign --version'), emit: versions_gst_assign, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def model = checkpoint ? "--checkpoint ${checkpoint}" : ''
    prefix = task.ext.prefix ?: "${meta.id}"
    // A GPU job that lost its GPU must fail, not crawl: never 'auto' where one was asked for.
    def device = task.accelerator ? 'cuda' : 'cpu'
    def files = [inputs].flatten()
    def assemblies = [genomes].flatten()
    def rows = [ids].flatten().withIndex().collect { id, index ->
        def name = [species].flatten()[index]?.toString() ?: ''
        def annotated = isAnnotation(files[index].name)
        def row = [
            id,
            annotated ? '' : files[index].name,
            annotated ? files[index].name : '',
            assemblies ? assemblies[index].name : '',
            name.isInteger() ? '' : name,
            name.isInteger() ? name : '',
        ]
        row.collect { field -> csvField(field) }.join(',')
    }
    """
    cat << 'END_OF_MANIFEST' > manifest.csv
    id,fasta,gff3,genome,scientific_name,taxon_id
    ${rows.join('\n    ')}
    END_OF_MANIFEST

    gst_assign \\
        --manifest manifest.csv \\
        --output named/ \\
        --outcomes ${prefix}_outcomes.json \\
        --device ${device} \\
        --threads ${task.cpus} \\
        --quiet \\
        ${model} \\
        ${args}
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    def files = [inputs].flatten()
    def names = [ids].flatten().withIndex().collectMany { id, index ->
        def table = "named/${id}.tsv"
        isAnnotation(files[index].name) ? [table, "named/${id}.gff3"] : [table]
    }
    """
    mkdir named
    touch ${names.join(' ')} ${prefix}_outcomes.json
    """
}
