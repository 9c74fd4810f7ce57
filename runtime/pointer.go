package runtime

import (
	"bytes"
	"fmt"
	"strings"
)

// pointerTree is a set of RFC 6901 pointers, by token. A nil tree is empty.
type pointerTree struct {
	leaf     bool
	children map[string]*pointerTree
}

func newPointerTree(pointers []string) (*pointerTree, error) {
	if len(pointers) == 0 {
		return nil, nil
	}
	root := &pointerTree{}
	for _, p := range pointers {
		tokens, err := pointerTokens(p)
		if err != nil {
			return nil, err
		}
		node := root
		for _, token := range tokens {
			if node.children == nil {
				node.children = map[string]*pointerTree{}
			}
			if node.children[token] == nil {
				node.children[token] = &pointerTree{}
			}
			node = node.children[token]
		}
		node.leaf = true
	}
	return root, nil
}

func (t *pointerTree) child(name []byte) *pointerTree {
	if t == nil {
		return nil
	}
	return t.children[string(name)]
}

// pointerTokens splits an RFC 6901 pointer to a member.
func pointerTokens(p string) ([]string, error) {
	if p == "" || p[0] != '/' {
		return nil, fmt.Errorf("%q is not a JSON pointer to a member: it must begin with a slash (RFC 6901)", p)
	}
	tokens := strings.Split(p[1:], "/")
	for i, token := range tokens {
		plain := strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		if strings.Count(token, "~") != strings.Count(token, "~0")+strings.Count(token, "~1") {
			return nil, fmt.Errorf("%q is not a JSON pointer: write ~ as ~0 (RFC 6901)", p)
		}
		tokens[i] = plain
	}
	return tokens, nil
}

// selection is a pointer to be followed in canonical texts.
type selection struct {
	pointer string
	names   [][]byte // its tokens, as a canonical text writes names
}

func newSelection(pointer string) (selection, error) {
	tokens, err := pointerTokens(pointer)
	if err != nil {
		return selection{}, err
	}
	s := selection{pointer: pointer}
	for _, token := range tokens {
		name := []byte{'"'}
		for _, r := range token {
			name = appendJSONRune(name, r)
		}
		s.names = append(s.names, append(name, '"'))
	}
	return s, nil
}

// find returns the part of a canonical text that the pointer leads to. A token
// that meets anything but an object selects nothing.
func (s *selection) find(text []byte) (value []byte, found bool) {
	for _, name := range s.names {
		if text, found = memberOf(text, name); !found {
			return nil, false
		}
	}
	return text, true
}

// memberOf finds a member of a canonical object by its canonical name.
func memberOf(text, name []byte) ([]byte, bool) {
	if text[0] != '{' {
		return nil, false
	}
	for i := 1; text[i] != '}'; {
		if text[i] == ',' {
			i++
		}
		key := text[i : i+valueLength(text[i:])]
		i += len(key) + 1 // the colon
		n := valueLength(text[i:])
		if bytes.Equal(key, name) {
			return text[i : i+n], true
		}
		i += n
	}
	return nil, false
}

// valueLength is the length of the value, or of the name, that a canonical text
// begins with.
func valueLength(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i = skipPlain(text, i+1); text[i] != '"'; i = skipPlain(text, i) {
				if text[i] == '\\' {
					i++
				}
				i++
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // of the object around the value
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// jsonMember finds the string at an RFC 6901 pointer in a JSON text. The whole
// text must be acceptable; an empty one has no members.
func jsonMember(ws *workspace, src []byte, pointer string) (value string, found, isString bool, err error) {
	s, err := newSelection(pointer)
	if err != nil || len(src) == 0 {
		return "", false, false, err
	}
	ws.json.use(src, nil)
	text, err := ws.json.text(ws.text[:0])
	if err != nil {
		return "", false, false, err
	}
	ws.text = text
	text, found = s.find(text)
	if !found || text[0] != '"' {
		return "", found, false, nil
	}
	return string(appendUnescaped(nil, text[1:len(text)-1])), true, true, nil
}
