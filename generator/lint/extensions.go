package lint

import "github.com/idemgen/idemgen/generator/policy"

// Extensions returns the JSON Schemas of the extensions that only lint reads.
func Extensions() map[string]policy.Schema {
	reason := policy.Schema{"type": "string", "minLength": 1, "description": "Why the finding is right as it is."}
	rule := policy.Schema{"type": "string", "pattern": "^IDM[0-9]{3}$", "description": "Name of the rule; docs/rules.md lists them."}
	return map[string]policy.Schema{
		ignoreName: {
			"title":       ignoreName,
			"description": "Takes findings of idemgen lint back: rules with reasons.",
			"anyOf": []policy.Schema{
				{"type": "object", "propertyNames": rule, "additionalProperties": reason},
				{"type": "array", "items": policy.Schema{
					"type": "object", "additionalProperties": false, "required": []string{"rule", "reason"},
					"properties": policy.Schema{"rule": rule, "reason": reason},
				}},
			},
		},
		windowName: {
			"title":       windowName,
			"description": "How long clients retry, such as 24h. Answers should be kept longer.",
			"type":        "string",
		},
	}
}
