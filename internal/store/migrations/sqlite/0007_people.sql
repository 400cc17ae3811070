-- +goose Up

-- Who has a licence of a type, in order of number.
CREATE INDEX users_licence ON users (tenant, licence_type, number) WHERE licence_type <> '';
