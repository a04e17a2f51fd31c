/* What is made ready of a query before it is looked up: its profile and its seeds. */
#include "lookup.h"

enum { OUTSIDE = -100 }; /* what cells beyond the end score */

/* Make a query ready, for which there has to be room. */
int prepare_query(const Index *index, const Limits *limits, Space *space, Sequence query)
{
    int64_t stride = stride_of(query.length);
    for (int residue = 0; residue < RESIDUES; residue++) {
        const int8_t *scores = index->scores + residue * RESIDUES;
        int16_t *row = space->profile + residue * stride;
        for (int64_t position = 0; position < query.length; position++)
            row[position] = scores[query.codes[position]];
        for (int64_t position = query.length; position < stride; position++)
            row[position] = OUTSIDE;
    }
    clear_table(&space->exact);
    clear_table(&space->neighbours);
    return add_seeds(index, limits, &space->exact, query);
}
