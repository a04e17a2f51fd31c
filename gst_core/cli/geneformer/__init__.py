"""The commands of ``geneformer``, one file each; no algorithm lives here."""
