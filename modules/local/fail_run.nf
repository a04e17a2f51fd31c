/*
 * Ends a run in which genomes failed: with a status other than 0, and with what failed as its error.
 */

process FAIL_RUN {
    // 'finish' waits for files that are still being published, 'terminate' would not.
    errorStrategy 'finish'
    executor 'local'
    cache false

    input:
    val sentences

    exec:
    error(sentences.join('\n') + '\n')
}
