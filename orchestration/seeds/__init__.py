"""Seeds as people write them: files in a spreadsheet's clothes, the rows of treatments, their workbook."""
