package client

import (
	"context"
	"encoding/json"
)

// OpenAPI reads the description of the API, in OpenAPI 3.1.
func (c *Client) OpenAPI(ctx context.Context, options ...CallOption) (json.RawMessage, error) {
	text, err := read[json.RawMessage](ctx, c, path("openapi.json"), nil, options)
	if err != nil {
		return nil, err
	}
	return *text, nil
}
