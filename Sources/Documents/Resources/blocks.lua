-- A filter for pandoc that prints a document as records instead of a page: what office.py prints, Records.swift reads.
-- \30 begins a record, \31 parts its fields: kind, page, sheet, text. \29 parts the cells of a row.
local function clean(text) return (text:gsub("[\0-\8\11-\31]", " ")) end
local function emit(kind, text) io.stdout:write("\30", kind, "\31\31\31", clean(text)) end

-- Inline text with its line breaks; footnotes are put aside, they follow their paragraph.
local function words(inlines, notes)
  local plain = pandoc.Inlines and pandoc.Inlines(inlines) or inlines
  local kept = pandoc.walk_block(pandoc.Plain(plain), {
    Note = function(note) notes[#notes + 1] = note.content; return pandoc.Str("") end,
    LineBreak = function() return pandoc.Str("\n") end,
    SoftBreak = function() return pandoc.Str(" ") end,
    RawInline = function() return pandoc.Str("") end,
  })
  return pandoc.utils.stringify(kept)
end

local blocks

local function say(kind, inlines, mark)
  local notes = {}
  local text = words(inlines, notes)
  if text:match("%S") then emit(kind, (mark or "") .. text) end
  for _, note in ipairs(notes) do blocks(note) end
end

local function cell_text(list)
  local notes, parts = {}, {}
  for _, block in ipairs(list) do
    local text
    if block.t == "Para" or block.t == "Plain" or block.t == "Header" then text = words(block.content, notes)
    else text = pandoc.utils.stringify(block) end
    if text ~= "" then parts[#parts + 1] = text end
  end
  for _, note in ipairs(notes) do parts[#parts + 1] = pandoc.utils.stringify(note) end
  return table.concat(parts, " ")
end

local function row(cells)
  local texts = {}
  for i, cell in ipairs(cells) do texts[i] = cell_text(cell) end
  io.stdout:write("\30r\31\31\31")
  for i, text in ipairs(texts) do io.stdout:write(i > 1 and "\29" or "", clean(text)) end
end

local function grid(block)
  local simple = pandoc.utils.to_simple_table(block)
  if #simple.caption > 0 then say("p", simple.caption) end
  emit("t", "")
  local head = false
  for _, cell in ipairs(simple.headers) do if #cell > 0 then head = true end end
  if head then row(simple.headers) end
  for _, cells in ipairs(simple.rows) do row(cells) end
  emit("e", "")
end

function blocks(list)
  for _, block in ipairs(list) do
    local t = block.t
    if t == "Header" then say("h" .. math.min(block.level, 6), block.content)
    elseif t == "Para" or t == "Plain" then say("p", block.content)
    elseif t == "CodeBlock" then emit("c", block.text)
    elseif t == "LineBlock" then for _, line in ipairs(block.content) do say("p", line) end
    elseif t == "BlockQuote" or t == "Div" then blocks(block.content)
    elseif t == "BulletList" then for _, item in ipairs(block.content) do blocks(item) end
    elseif t == "OrderedList" then for _, item in ipairs(block.content) do blocks(item) end
    elseif t == "DefinitionList" then
      for _, item in ipairs(block.content) do
        say("p", item[1])
        for _, meaning in ipairs(item[2]) do blocks(meaning) end
      end
    elseif t == "Table" then grid(block)
    end
  end
end

function Pandoc(document)
  local title = document.meta.title
  if title then emit("h1", pandoc.utils.stringify(title)) end
  blocks(document.blocks)
  return pandoc.Pandoc({})
end
