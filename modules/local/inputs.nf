/*
 * What users hand in is checked here, before any task starts: every fault at once, each by its name.
 */

// Parameters against nextflow_schema.json: a map of all of them, each of its type.
// output_dir: where Nextflow will publish.
def checkedParams(params_map, schema_file, output_dir) {
    def rules = readJson(schema_file)['$defs'].collectEntries { _group, definition -> definition.properties }
    def required = readJson(schema_file)['$defs'].collectMany { _group, definition -> definition.required ?: [] }
    def faults = required.findAll { name -> !params_map[name] }.collect { name -> "--${name}: is required; ${rules[name].help_text}" }
    // Nextflow lists --two-words as twoWords too.
    faults += params_map.keySet().findAll { name -> !(name in rules) && !(name.contains('-') || name =~ /[A-Z]/) }.collect { name ->
        "--${name}: there is no such parameter; the parameters are ${rules.keySet().collect { rule -> "--${rule}" }.join(', ')}"
    }
    rules.each { name, rule ->
        def value = params_map[name] == '' ? null : params_map[name]
        // Nextflow reads an option without a value as true.
        def lacking = value == null ? rule['default'] != null : rule.type == 'string' && value.toString() == 'true'
        def path = value && !lacking && isPath(rule) ? file(value.toString(), glob: false) : null
        def fault = lacking ? "has no value${rule['default'] == null ? '' : "; left out, it is ${rule['default']}"}"
            : value == null ? null : faultOf(path ? path.toUriString() : value, rule) ?: faultOfPath(path, rule)
        if (fault) {
            faults << "--${name}: ${fault}"
        }
    }
    // The configuration is read with --outdir before -output-dir and -c are: half of the results would lie elsewhere.
    if (params_map.outdir && file(params_map.outdir.toString(), glob: false) != output_dir) {
        faults << "--outdir: is ${params_map.outdir}, but results would go to ${output_dir.toUriString()}; give the folder by --outdir or in a -params-file, not by -output-dir or in a -c file"
    }
    stopFor(faults, 'the parameters')
    return rules.collectEntries { name, rule -> [name, params_map[name] == null ? null : typed(params_map[name].toString(), rule.type)] }
}

def typed(text, type) {
    return type == 'integer' ? text.toInteger() : type == 'number' ? text.toBigDecimal() : type == 'boolean' ? text == 'true' : text
}

// A samplesheet's rows against assets/schema_input.json, as maps with absolute paths.
// Relative paths start at the samplesheet's folder.
def readSamplesheet(sheet, schema_file, options) {
    def item = readJson(schema_file).items
    def columns = item.properties.keySet()
    // [number of the line, its fields]
    def lines = sheet.readLines().withIndex()
        .collect { line, index -> [index + 1, fieldsOf(line.replace('\uFEFF', ''))] }
        .findAll { _number, fields -> fields.any() }
    if (lines.size() < 2) {
        error("--input: ${sheet.toUriString()} has no rows; the first line names the columns: ${columns.join(',')}")
    }
    def (first, header) = lines[0]
    def faults = (header - columns).collect { column ->
        "line ${first}: there is no column '${column ?: ''}'; the columns are ${columns.join(', ')}"
    }
    faults += header.findAll { column -> header.count(column) > 1 }.unique(false).collect { column ->
        "line ${first}: the column '${column ?: ''}' is there ${header.count(column)} times"
    }
    def seen = [:]
    def (whole, broken) = lines.tail().split { _line, fields -> fields.size() == header.size() }
    faults += broken.collect { line, fields ->
        "line ${line}: has ${fields.size()} field${fields.size() == 1 ? '' : 's'} where the header has ${header.size()}${fields.size() == 1 ? '; its quotes may not match' : ''}"
    }
    def genomes = whole.collect { line, fields ->
        def row = [header, fields].transpose().collectEntries()
        def genome = item.properties.collectEntries { column, rule ->
            def value = row[column] ?: null
            def path = value && isPath(rule) ? besides(sheet, value) : null
            def fault = value == null ? (column in item.required ? 'is empty or missing' : null)
                : faultOf(path ? path.toUriString() : value, rule) ?: faultOfPath(path, rule)
            if (fault) {
                faults << "line ${line}, column '${column}': ${fault}"
            }
            [column, path ?: value]
        }
        if (genome.fasta && genome.database) {
            faults << "line ${line}, column 'database': there are proteins in 'fasta' too; give one of the two"
        }
        if (!genome.fasta && !genome.database && !genome.gff3) {
            faults << "line ${line}, column 'fasta': give proteins in 'fasta', an annotation in 'gff3' with its 'genome', or a core database in 'database'"
        }
        if (genome.id && seen.put(genome.id.toLowerCase(), line)) {
            faults << "line ${line}, column 'id': '${genome.id}' is there twice (upper and lower case count as the same)"
        }
        genome
    }
    if (options.load && !genomes.any { genome -> genome.database }) {
        faults << "--load: no row has a 'database' to load symbols into"
    }
    def counted = genomes.any { genome -> genome.counts }
    ['geneformer_model', 'geneformer_resources'].each { name ->
        if (counted != !!options[name]) {
            faults << "--${name}: " + (counted ? "is needed for the 'counts' of cells" : "no row has 'counts' of cells to embed")
        }
    }
    stopFor(faults, "the samplesheet ${sheet.toUriString()}")
    return genomes
}

// Fields of a line of CSV, without spaces around them; "" in quotes is a quote. What is no CSV is a field of its own.
def fieldsOf(line) {
    def found = ("${line}," =~ /\G\s*(?:"([^"]*(?:""[^"]*)*)"|([^",]*?))\s*,/).collect { whole, quoted, plain ->
        [whole, quoted == null ? plain : quoted.replace('""', '"').trim()]
    }
    return found.sum(0) { whole, _field -> whole.size() } == line.size() + 1 ? found.collect { _whole, field -> field } : [line]
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

// Genes of a row that has neither proteins nor a database are those of its annotation.
def isAnnotated(genome) {
    return !genome.fasta && !genome.database
}

// What a module takes for a file that may be missing.
def optionalFile(path) {
    return path ? file(path, glob: false) : []
}

// What is read: a file, or, with the format 'path', a file or a folder.
def isPath(rule) {
    return rule.format in ['file-path', 'path']
}

def faultOfPath(path, rule) {
    if (rule.format == 'path') {
        return path && !path.exists() ? "there is no file or folder ${path.toUriString()}" : null
    }
    return path && !path.isFile() ? "there is no file ${path.toUriString()}" : null
}

def besides(sheet, path) {
    return path.contains('://') || path.startsWith('/') ? file(path, glob: false) : sheet.parent.resolve(path)
}

def readJson(schema_file) {
    return new groovy.json.JsonSlurper().parseText(schema_file.text)
}

def stopFor(faults, where) {
    if (faults) {
        error("${faults.size()} fault${faults.size() == 1 ? "" : "s"} in ${where}:\n" + faults.take(20).collect { fault -> "  ${withoutPasswords(fault)}" }.join('\n'))
    }
}

// What stands where an address has a password is shown to nobody.
def withoutPasswords(text) {
    return text.toString()
        .replaceAll(/(:\/\/[^\/\s:@]*):\S*@/, '$1:***@')
        .replaceAll(/(?i)((?:password|passwd|pwd)=)[^&\s']*/, '$1***')
}
