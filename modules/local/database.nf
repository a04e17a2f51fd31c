/*
 * Puts symbols into core databases and checks each afterwards.
 */

include { GST_LOAD  } from '../ensembl/gst/load'
include { GST_CHECK } from '../ensembl/gst/check'

workflow LOAD {
    take:
    symbols     // [meta, table], for databases
    threshold   // least probability
    primary_ids // file of accessions, or []

    main:
    GST_LOAD(symbols.map { meta, tsv -> [meta, tsv, meta.database] }, threshold, primary_ids)
    GST_CHECK(GST_LOAD.out.plan.map { meta, _plan -> [meta, meta.database] })

    emit:
    plans = GST_LOAD.out.plan // [meta, plan]
    taps  = GST_CHECK.out.tap // [meta, datachecks]
}
