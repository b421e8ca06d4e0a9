-- What the ids of a site come from where they are to be the same again, and how many were made.

ALTER TABLE sites ADD COLUMN id_seed VARCHAR;
ALTER TABLE sites ADD COLUMN ids_made INTEGER;
