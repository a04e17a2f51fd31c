/*
 * Puts symbols into core databases, and checks each before and afterwards.
 */

include { GST_CHECK as GST_CHECK_BEFORE } from '../../../modules/ensembl/gst/check'
include { GST_CHECK                     } from '../../../modules/ensembl/gst/check'
include { GST_LOAD                      } from '../../../modules/ensembl/gst/load'

workflow LOAD_SYMBOLS {
    take:
    symbols     // [meta, table], for databases
    threshold   // least probability
    primary_ids // file of accessions, or []

    main:
    // What is wrong with a database before anything is loaded is not the load's fault.
    GST_CHECK_BEFORE(symbols.map { meta, _tsv -> [meta, meta.database, meta.production_name ?: '', []] })
    before = GST_CHECK_BEFORE.out.datachecks

    to_load = symbols
        .join(before)
        .map { meta, tsv, _found -> [meta, tsv, meta.database, meta.production_name ?: ''] }
    GST_LOAD(to_load, threshold, primary_ids)

    to_check = GST_LOAD.out.plan
        .join(before)
        .map { meta, _plan, found -> [meta, meta.database, meta.production_name ?: '', found] }
    GST_CHECK(to_check)

    emit:
    before                                // [meta, datachecks before the load]
    plans      = GST_LOAD.out.plan        // [meta, what was loaded]
    datachecks = GST_CHECK.out.datachecks // [meta, datachecks after the load]
}
