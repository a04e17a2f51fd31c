/*
 * What users hand in is checked here, before any task starts: every fault at once, each by its name.
 */

// Parameters against nextflow_schema.json.
def checkParams(params_map, schema_file) {
    def faults = []
    readJson(schema_file)['$defs'].each { _group, definition ->
        (definition.required ?: []).findAll { name -> !params_map[name] }.each { name ->
            faults << "--${name}: is required; ${definition.properties[name].help_text}"
        }
        definition.properties.each { name, rule ->
            def fault = params_map[name] == null ? null : faultOf(params_map[name], rule)
            if (fault) {
                faults << "--${name}: ${fault}"
            }
        }
    }
    stopFor(faults, 'the parameters')
}

// A samplesheet's rows against assets/schema_input.json, as maps with absolute paths.
// Relative paths start at the samplesheet's folder.
def readSamplesheet(sheet, schema_file) {
    def item = readJson(schema_file).items
    if (!sheet.isFile()) {
        error("--input: there is no file ${sheet}")
    }
    def columns = item.properties.keySet()
    def lines = sheet.text.trim() ? sheet.splitCsv(quote: '"', strip: true) : []
    if (lines.size() < 2) {
        error("--input: ${sheet} has no rows; the first line names the columns: ${columns.join(',')}")
    }
    def header = lines[0].collect { column -> column?.replace('\uFEFF', '') }
    def faults = (header - columns).collect { column ->
        "line 1: there is no column '${column ?: ''}'; the columns are ${columns.join(', ')}"
    }
    def seen = [:]
    def genomes = lines.tail().withIndex().findAll { fields, _index -> fields.any() }.collect { fields, index ->
        def line = index + 2
        if (fields.size() != header.size()) {
            faults << "line ${line}: has ${fields.size()} fields where the header has ${header.size()}"
        }
        def row = [header, fields].transpose().collectEntries()
        def genome = item.properties.collectEntries { column, rule ->
            def value = row[column] ?: null
            def path = value && rule.format == 'file-path' ? besides(sheet, value) : null
            def fault = value == null ? (column in item.required ? 'is empty or missing' : null)
                : path && !path.isFile() ? "there is no file ${path.toUriString()}"
                : faultOf(value, rule)
            if (fault) {
                faults << "line ${line}, column '${column}': ${fault}"
            }
            [column, path ?: value]
        }
        if (!genome.fasta == !genome.database) {
            faults << "line ${line}, column 'fasta': give proteins in 'fasta' or a core database in 'database', one of the two"
        }
        if (genome.id && seen.put(genome.id.toLowerCase(), line)) {
            faults << "line ${line}, column 'id': '${genome.id}' is there twice (upper and lower case count as the same)"
        }
        genome
    }
    stopFor(faults, "the samplesheet ${sheet}")
    return genomes
}

// What is wrong with one value, or null; the words of JSON Schema that our two schemas use.
def faultOf(value, rule) {
    def text = value.toString()
    if (rule.type in ['number', 'integer'] && !(rule.type == 'number' ? text.isNumber() : text.isInteger())) {
        return "'${text}' is not ${rule.type == 'number' ? 'a number' : 'a whole number'}"
    }
    if (rule.type == 'boolean' && !(text in ['true', 'false'])) {
        return "'${text}' is neither true nor false"
    }
    if (rule.minimum != null && text.toBigDecimal() < rule.minimum) {
        return "'${text}' is less than ${rule.minimum}"
    }
    if (rule.maximum != null && text.toBigDecimal() > rule.maximum) {
        return "'${text}' is more than ${rule.maximum}"
    }
    if (rule['enum'] && !(text in rule['enum'])) {
        return "'${text}' is not one of ${rule['enum'].join(', ')}"
    }
    if (rule.pattern && !(text =~ rule.pattern)) {
        return "'${text}' does not fit; ${rule.errorMessage}"
    }
    return null
}

def besides(sheet, path) {
    return path.contains('://') || path.startsWith('/') ? file(path) : sheet.parent.resolve(path)
}

def readJson(schema_file) {
    return new groovy.json.JsonSlurper().parseText(schema_file.text)
}

def stopFor(faults, where) {
    if (faults) {
        error("${faults.size()} fault${faults.size() == 1 ? "" : "s"} in ${where}:\n" + faults.take(20).collect { fault -> "  ${fault}" }.join('\n'))
    }
}
