-- Rows that are being copied under a data key to which nothing refers yet.

ALTER TABLE discarded ADD COLUMN kept_until FLOAT;
