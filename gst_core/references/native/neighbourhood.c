/* Neighbouring words: seeds like a query's (Altschul et al. 1990); see neighbourhood.py. */
#include "lookup.h"

/* Add an entry for each seed that is like one of a query: a neighbour of it. */
int add_neighbours(const Index *index, const Limits *limits, SeedTable *table, Sequence query)
{
    const int32_t least = limits->neighbour_score;
    static const int offsets[] = {0, 1, 3, 4};
    for (int64_t position = 0; position + SPAN <= query.length; position++) {
        if (table->number >= limits->positions_of_all)
            break;
        const uint8_t *codes = query.codes + position;
        if (seed_at(codes, index->letters) < 0)
            continue;
        /* Of each of the four letters: the scores of others, their order, and the best that the
         * letters to the right can add. */
        const int8_t *row[4], *by_score[4];
        int best[4] = {0};
        for (int i = 3; i >= 0; i--) {
            int letter = index->letters[codes[offsets[i]]];
            row[i] = index->substitutions + letter * LETTERS;
            by_score[i] = index->order + letter * LETTERS;
            if (i)
                best[i - 1] = best[i] + row[i][by_score[i][0]];
        }
        for (int i = 0; i < LETTERS; i++) {
            int a = by_score[0][i], first = row[0][a];
            if (first + best[0] < least)
                break;
            for (int j = 0; j < LETTERS; j++) {
                int b = by_score[1][j], second = first + row[1][b];
                if (second + best[1] < least)
                    break;
                for (int k = 0; k < LETTERS; k++) {
                    int c = by_score[2][k], third = second + row[2][c];
                    if (third + best[2] < least)
                        break;
                    for (int l = 0; l < LETTERS; l++) {
                        int d = by_score[3][l], score = third + row[3][d];
                        if (score < least)
                            break;
                        int32_t seed = ((a * LETTERS + b) * LETTERS + c) * LETTERS + d;
                        if (add_entry(limits, table, seed, position, score))
                            return -1;
                    }
                }
            }
        }
    }
    finish_table(table);
    return 0;
}
