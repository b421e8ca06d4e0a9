-- The journal: when a request began, to the microsecond; what of it was not used; the answer's headers.

ALTER TABLE requests ADD COLUMN started_at FLOAT;
ALTER TABLE requests ADD COLUMN ignored_params VARCHAR;
ALTER TABLE requests ADD COLUMN answer_headers VARCHAR;
