/* The table of a query's seeds; see seeds.py. */
#include "lookup.h"

/* Add an entry for each seed of a query. */
int add_seeds(const Index *index, const Limits *limits, SeedTable *table, Sequence query)
{
    for (int64_t position = 0; position + SPAN <= query.length; position++) {
        int32_t seed = seed_at(query.codes + position, index->letters);
        if (seed >= 0 && add_entry(limits, table, seed, position, limits->seed_score))
            return -1;
    }
    return 0;
}

/* Take all entries away. */
void clear_table(SeedTable *table)
{
    for (int64_t i = 0; i < table->number; i++) {
        table->chains[table->entries[i].seed] = (Chain){0};
        table->marked[table->entries[i].seed / 32] = 0;
    }
    table->number = 0;
}
