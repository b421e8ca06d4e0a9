-- How much the journal has kept, so that it is bounded by bytes; older requests count as the first.

ALTER TABLE requests ADD COLUMN position INTEGER DEFAULT 0 NOT NULL;
CREATE INDEX requests_position ON requests (position);
