/*
 * A small core database in SQLite for the modules' tests, from the table files of tests/ensembl/made_genome.py.
 */

process MAKE_CORE {
    container 'docker.io/ensemblorg/gst:1.0.0'

    input:
    path tables
    path external_db

    output:
    path 'core.db', emit: db

    script:
    """
    gst db create \\
        --from ${tables} \\
        --external_db ${external_db} \\
        --url sqlite:///core.db \\
        --quiet
    """
}
