CREATE TABLE `analysis` (
  `analysis_id` text,
  `created` text,
  `logic_name` text
) ENGINE=MyISAM;
CREATE TABLE `assembly` (
  `asm_seq_region_id` text,
  `cmp_seq_region_id` text,
  `asm_start` text,
  `asm_end` text,
  `cmp_start` text,
  `cmp_end` text,
  `ori` text
) ENGINE=MyISAM;
CREATE TABLE `attrib_type` (
  `attrib_type_id` text,
  `code` text,
  `name` text
) ENGINE=MyISAM;
CREATE TABLE `coord_system` (
  `coord_system_id` text,
  `species_id` text,
  `name` text,
  `version` text,
  `rank` text,
  `attrib` text
) ENGINE=MyISAM;
CREATE TABLE `dna` (
  `seq_region_id` text,
  `sequence` text
) ENGINE=MyISAM;
CREATE TABLE `exon` (
  `exon_id` text,
  `seq_region_id` text,
  `seq_region_start` text,
  `seq_region_end` text,
  `seq_region_strand` text,
  `phase` text,
  `end_phase` text,
  `is_current` text,
  `is_constitutive` text,
  `stable_id` text,
  `version` text
) ENGINE=MyISAM;
CREATE TABLE `exon_transcript` (
  `exon_id` text,
  `transcript_id` text,
  `rank` text
) ENGINE=MyISAM;
CREATE TABLE `external_db` (
  `external_db_id` text,
  `db_name` text,
  `db_release` text,
  `status` text,
  `priority` text,
  `db_display_name` text,
  `type` text,
  `secondary_db_name` text,
  `secondary_db_table` text,
  `description` text
) ENGINE=MyISAM;
CREATE TABLE `gene` (
  `gene_id` text,
  `biotype` text,
  `analysis_id` text,
  `seq_region_id` text,
  `seq_region_start` text,
  `seq_region_end` text,
  `seq_region_strand` text,
  `display_xref_id` text,
  `source` text,
  `description` text,
  `is_current` text,
  `canonical_transcript_id` text,
  `stable_id` text,
  `version` text
) ENGINE=MyISAM;
CREATE TABLE `meta` (
  `meta_id` text,
  `species_id` text,
  `meta_key` text,
  `meta_value` text
) ENGINE=MyISAM;
CREATE TABLE `object_xref` (
  `object_xref_id` text,
  `ensembl_id` text,
  `ensembl_object_type` text,
  `xref_id` text,
  `linkage_annotation` text,
  `analysis_id` text
) ENGINE=MyISAM;
CREATE TABLE `seq_region` (
  `seq_region_id` text,
  `name` text,
  `coord_system_id` text,
  `length` text
) ENGINE=MyISAM;
CREATE TABLE `seq_region_attrib` (
  `seq_region_id` text,
  `attrib_type_id` text,
  `value` text
) ENGINE=MyISAM;
CREATE TABLE `transcript` (
  `transcript_id` text,
  `gene_id` text,
  `analysis_id` text,
  `seq_region_id` text,
  `seq_region_start` text,
  `seq_region_end` text,
  `seq_region_strand` text,
  `display_xref_id` text,
  `source` text,
  `biotype` text,
  `description` text,
  `is_current` text,
  `canonical_translation_id` text,
  `stable_id` text,
  `version` text
) ENGINE=MyISAM;
CREATE TABLE `translation` (
  `translation_id` text,
  `transcript_id` text,
  `seq_start` text,
  `start_exon_id` text,
  `seq_end` text,
  `end_exon_id` text,
  `stable_id` text,
  `version` text
) ENGINE=MyISAM;
CREATE TABLE `xref` (
  `xref_id` text,
  `external_db_id` text,
  `dbprimary_acc` text,
  `display_label` text,
  `version` text,
  `description` text,
  `info_type` text,
  `info_text` text
) ENGINE=MyISAM;
