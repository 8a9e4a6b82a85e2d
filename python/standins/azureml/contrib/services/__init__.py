"""Raw HTTP in scoring scripts: see aml_request and aml_response."""
