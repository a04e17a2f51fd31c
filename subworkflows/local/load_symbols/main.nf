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
    GST_CHECK_BEFORE(symbols.map { meta, _tsv -> [meta, meta.database, meta.production_name ?: ''] })
    checked = symbols
        .join(GST_CHECK_BEFORE.out.tap)
        .map { meta, tsv, _tap -> [meta, tsv, meta.database, meta.production_name ?: ''] }
    GST_LOAD(checked, threshold, primary_ids)
    GST_CHECK(GST_LOAD.out.plan.map { meta, _plan -> [meta, meta.database, meta.production_name ?: ''] })

    emit:
    before = GST_CHECK_BEFORE.out.tap // [meta, datachecks]
    plans  = GST_LOAD.out.plan        // [meta, plan]
    taps   = GST_CHECK.out.tap        // [meta, datachecks]
}
