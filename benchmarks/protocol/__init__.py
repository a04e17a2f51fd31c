"""The protocol behind the benchmarks: who is asked what, by whom, and how it is scored.

`sets` makes training and query sequences, `methods` runs a program over them in a
measured process (`measure`), `scores` compares what it said with what is known, and
`tables` writes that as Markdown.
"""
