/* Which scores stand out from chance; see evalue.py. */
#include <math.h>

#include "lookup.h"

/* The score that strangers reach with an E-value of `evalue`, 0 for short queries. */
double cutoff_score(const Index *index, const Limits *limits, Sequence query, double lambda,
                    double kappa)
{
    double cells = (double)query.length * (double)index->starts[index->size];
    return query.length < limits->judged ? 0 : log(kappa * cells / limits->evalue) / lambda;
}
