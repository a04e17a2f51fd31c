/* Which scores stand out from chance; see evalue.py. */
#include <math.h>

#include "lookup.h"

/* The score that strangers reach with an E-value, 0 for short queries. */
static double cutoff_score(const Index *index, const Limits *limits, Sequence query, double evalue,
                           double lambda, double kappa)
{
    double cells = (double)query.length * (double)index->starts[index->size];
    return query.length < limits->judged ? 0 : log(kappa * cells / evalue) / lambda;
}

double ungapped_cutoff(const Index *index, const Limits *limits, Sequence query)
{
    return cutoff_score(index, limits, query, limits->chance, limits->ungapped_lambda,
                        limits->ungapped_kappa);
}

double gapped_cutoff(const Index *index, const Limits *limits, Sequence query)
{
    return cutoff_score(index, limits, query, limits->related, limits->lambda, limits->kappa);
}
